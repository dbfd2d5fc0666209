import { expect, it } from "vitest";
import type { Ref } from "../../src/schema/meta.js";
import type { ObjectStatus } from "../../src/status/status.js";
import { desiredStatus, statusRig } from "../support/status-rig.js";

const proxies = "/apis/projectcontour.io/v1/namespaces/default/httpproxies";
const fine = (): number => 200;
const described = (one: ObjectStatus, description: string): ObjectStatus => ({
  ...one,
  status: { currentStatus: "invalid", description },
});
const many = (count: number, namespace: (i: number) => string): ObjectStatus[] =>
  Array.from({ length: count }, (_, i) => desiredStatus(`p-${i}`, "HTTPProxy", namespace(i)));

it("a tenant that edits a thousand objects a second does not delay others", async () => {
  const versions = new Map<Ref, number>();
  const evil = many(1000, () => "evil");
  const good = desiredStatus("good", "HTTPProxy", "good");
  const current = (one: ObjectStatus): ObjectStatus => described(one, String(versions.get(one.ref) ?? 0));
  const { pass, attempts, writer, writes } = statusRig(
    fine,
    () => [...evil, good],
    (_, { desired: one }) => (one ? { desired: current(one) } : {}),
  );
  const edit = ({ ref }: ObjectStatus): void => {
    versions.set(ref, (versions.get(ref) ?? 0) + 1);
    writer.touch(ref);
  };
  await pass(3000);
  const times: number[] = [];
  let at = 3000;
  for (let second = 0; second < 10; second++) {
    edit(good);
    const edited = at;
    for (let tenth = 0; tenth < 10; tenth++) {
      for (const one of evil.slice(tenth * 100, tenth * 100 + 100)) edit(one);
      await pass(100);
      at += 100;
    }
    times.push((attempts("good").at(-1) ?? 0) - edited);
  }
  expect(Math.min(...times)).toBeGreaterThan(0);
  expect(Math.max(...times)).toBeLessThan(500);
  // Both share one rate.
  expect(writes.length).toBeLessThan(13 * 100 + 150);
});

it("the first writes are rate-limited, start with the newest objects, and let changes go first", async () => {
  const all = many(2000, (i) => `team-${i % 20}`);
  const { pass, writes, written, writer } = statusRig(fine, () => all);
  for (const [i, { ref }] of all.entries()) writer.observe(ref, { metadata: { resourceVersion: String(i) } });
  await pass(1300);
  expect(writes.length).toBeGreaterThan(150);
  expect(writes.length).toBeLessThan(300);
  const first = writes.slice(0, 100).map(({ name }) => Number(name.slice(2)));
  expect(Math.min(...first)).toBeGreaterThan(1800);
  const late = all[0] as ObjectStatus;
  writer.touch(late.ref);
  await pass(300);
  expect(written()).toContain(late.metadata.name);
  expect(written().length).toBeLessThan(400);
  await pass(20_000);
  expect(written()).toHaveLength(2000);
  expect(writes).toHaveLength(2000);
});

it("a status that another writer overwrites is restored with an exponentially growing delay, which resets after a quiet time", async () => {
  const { pass, attempts, writer, stored } = statusRig(fine);
  const forge = (text: string): void => {
    const status = { currentStatus: text };
    stored.set(`${proxies}/p`, status);
    writer.observe("HTTPProxy/default/p", { status, metadata: {} });
  };
  const putBack = async (within: number): Promise<boolean> => {
    const before = attempts("p").length;
    forge(`forged ${before} ${Math.random()}`);
    await pass(within);
    return attempts("p").length > before;
  };
  await pass(1000);
  expect(attempts("p")).toHaveLength(1);
  expect(await putBack(1000)).toBe(true);
  for (let i = 0; i < 10; i++) await putBack(120_000);
  expect(await putBack(30_000)).toBe(false);
  await pass(1_000_000);
  expect(await putBack(1000)).toBe(true);
});

it("the next leader writes only differences", async () => {
  const all = many(50, (i) => `team-${i % 5}`);
  const { pass, leads, writes, written, writer } = statusRig(fine, () => all);
  leads.value = false;
  for (const { ref, status } of all.slice(0, 48))
    writer.observe(ref, { status, metadata: { resourceVersion: "5" } });
  await pass(10_000);
  expect(writes).toEqual([]);
  leads.value = true;
  await pass(2000);
  expect(written()).toEqual(["p-48", "p-49"]);
  leads.value = false;
  const [first] = all as [ObjectStatus];
  writer.observe(first.ref, { status: {}, metadata: { resourceVersion: "6" } });
  await pass(5000);
  expect(writes).toHaveLength(2);
});

it("a verdict is evaluated again when it ends", async () => {
  const end = 7_200_000;
  let now = 0;
  const { pass, attempts } = statusRig(fine, undefined, (_, { desired: one }) =>
    one
      ? now < end
        ? { desired: one, until: end }
        : { desired: described(one, "the certificate has run out") }
      : {},
  );
  await pass(end - 1000);
  expect(attempts("p")).toHaveLength(1);
  now = end;
  await pass(2000);
  expect(attempts("p")).toHaveLength(2);
});

it("an internal error for one object affects only this one, and is logged", async () => {
  const all = many(20, () => "default");
  const { pass, written, log, failures, writer } = statusRig(
    fine,
    () => all,
    (ref, otherwise) => {
      if (ref.endsWith("p-7")) throw new Error("a fault of ours");
      return otherwise;
    },
  );
  await pass(60_000);
  expect(written()).toHaveLength(19);
  expect(log).toHaveLength(1);
  expect(log[0]).toContain("HTTPProxy/default/p-7: can't write the status: a fault of ours");
  expect(failures.length).toBeLessThan(12);
  expect(writer.failing).toMatchObject([{ ref: "HTTPProxy/default/p-7" }]);
});

it("a kind without the status subresource is tried rarely, and written once it has one", async () => {
  const routes = Array.from({ length: 200 }, (_, i) => desiredStatus(`r-${i}`, "TLSRoute", `team-${i % 50}`));
  const proxies = many(20, (i) => `team-${i}`);
  let code = 404;
  const { pass, attempts, written, log, writer } = statusRig(
    (method, name) => (method === "PATCH" && name.startsWith("r-") ? code : 200),
    () => [...routes, ...proxies],
  );
  await pass(600_000);
  expect(written()).toHaveLength(20);
  expect(routes.flatMap(({ metadata }) => attempts(metadata.name)).length).toBeLessThan(100);
  expect(log).toEqual([expect.stringContaining("tlsroutes: they have no status subresource")]);
  expect(writer.failing).toHaveLength(200);
  code = 200;
  await pass(120_000);
  expect([written().length, writer.failing.length]).toEqual([220, 0]);
});

it("hanging writes of one namespace do not delay other namespaces", async () => {
  const hanging = many(50, () => "evil");
  const good = desiredStatus("good", "HTTPProxy", "good");
  let isThere = false;
  const { pass, poke, attempts } = statusRig(
    (_, name) => (name.startsWith("p-") ? "hangs" : 200),
    () => (isThere ? [...hanging, good] : hanging),
  );
  await pass(20_000);
  isThere = true;
  poke();
  await pass(5000);
  expect((attempts("good")[0] ?? Number.POSITIVE_INFINITY) - 20_000).toBeLessThan(4500);
});

it("a status is written again if the object changes during the write", async () => {
  let description = "first";
  let touch = (): void => undefined;
  const { pass, attempts, writer } = statusRig(
    (method) => {
      if (method === "PATCH") touch();
      return 200;
    },
    undefined,
    (_, { desired: one }) => (one ? { desired: described(one, description) } : {}),
  );
  touch = () => {
    touch = () => undefined;
    description = "second";
    writer.touch("HTTPProxy/default/p");
  };
  await pass(2000);
  expect(attempts("p")).toHaveLength(2);
});

it("an unreadable object keeps its status, and a deleted one is requested at most once", async () => {
  let answer = 200;
  const { pass, writes, writer, judged, stored, managed } = statusRig(
    () => answer,
    () => [],
    (ref) => (ref.endsWith("unread") ? { isUnknown: true } : {}),
  );
  const managedFields = [{ manager: "isoline", fieldsV1: { "f:status": { "f:currentStatus": {} } } }];
  const raw = { metadata: { managedFields }, status: { currentStatus: "valid" } };
  for (const name of ["unread", "left"]) {
    stored.set(`${proxies}/${name}`, raw.status);
    managed.set(`${proxies}/${name}`, managedFields);
  }
  writer.observe("HTTPProxy/default/unread", raw);
  await pass(5000);
  expect(writes).toEqual([]);
  writer.observe("HTTPProxy/default/left", raw);
  await pass(5000);
  expect(writes.map(({ name }) => name)).toEqual(["left"]);
  answer = 404;
  writer.touch("HTTPProxy/default/never-read");
  await pass(5000);
  const before = judged();
  await pass(600_000);
  expect(judged()).toBe(before);
});
