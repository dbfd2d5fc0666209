import type { KubeObject } from "../schema/object.js";
import { type Cells, textOf } from "./cells.js";
import type { statements } from "./sql.js";
import type { Revision, RevisionContent, Store } from "./store.js";

type Revisions = Pick<
  Store,
  "revisionSources" | "revisions" | "revisionContent" | "putRevision" | "renumberRevision" | "dropRevision"
>;

const textOwner = (id: unknown): string => `revision/${id}/text`;
const heldOwner = (id: unknown): string => `revision/${id}/held`;

/** The revisions of pushed sources in a SQL store. */
export class SqlRevisions implements Revisions {
  constructor(
    private readonly sql: ReturnType<typeof statements>,
    private readonly cells: Cells,
  ) {}

  revisionSources(): readonly string[] {
    return this.sql.getSources.all().map(({ source }) => textOf(source));
  }

  revisions(source: string): readonly Revision[] {
    return this.sql.getRevisions.all(source).map(({ revision, at, digest, size, author }) => ({
      source,
      revision: Number(revision),
      at: Number(at),
      digest: textOf(digest),
      size: Number(size),
      by: textOf(author),
    }));
  }

  revisionContent(source: string, revision: number): RevisionContent | undefined {
    const row = this.sql.getRevision.all(source, revision)[0];
    if (!row) return undefined;
    return {
      text: this.cells.text(textOwner(row.id), row.text),
      held: this.cells.json(heldOwner(row.id), row.held) as KubeObject[],
    };
  }

  putRevision(
    { source, revision, at, digest, by }: Omit<Revision, "size">,
    { text, held }: RevisionContent,
  ): void {
    this.dropRevision(source, revision);
    const heldText = JSON.stringify(held);
    const size = text.length + heldText.length;
    const id = this.sql.putRevision.all(source, revision, at, digest, size, by)[0]?.id ?? null;
    const textCell = this.cells.write(textOwner(id), text);
    this.sql.fillRevision.run(textCell, this.cells.write(heldOwner(id), heldText), id);
  }

  renumberRevision(
    { source, revision }: Revision,
    { revision: number, at, by }: Omit<Revision, "size" | "digest">,
  ): void {
    this.sql.renumberRevision.run(number, at, by, source, revision);
  }

  dropRevision(source: string, revision: number): void {
    const id = this.sql.getRevision.all(source, revision)[0]?.id;
    if (id === undefined) return;
    this.sql.dropRevision.run(source, revision);
    this.cells.forget(textOwner(id), heldOwner(id));
  }
}
