import { isRecord } from "../schema/issues.js";
import { messageOf } from "../schema/words.js";

/** An error answer of GitHub's API. */
export class GitHubError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

interface ApiOptions {
  /** Such as `https://api.github.com`. */
  readonly url: string;
  readonly token: string;
  /** `owner/name`. */
  readonly repository: string;
}

export interface Comment {
  readonly id: number;
  readonly body: string;
}

const perPage = 100;
const maxPages = 50;
const timeoutMs = 30_000;
const attempts = 3;
const pauseMs = 1000;

/** Access to the comments of one repository with GitHub's REST API. */
export class GitHubApi {
  constructor(private readonly options: ApiOptions) {}

  /** The comment of a bot whose text begins with `start`. Comments of other users are ignored. */
  async findComment(issue: number, start: string): Promise<Comment | undefined> {
    for (let page = 1; page <= maxPages; page++) {
      const listed = await this.#ask("GET", `issues/${issue}/comments?per_page=${perPage}&page=${page}`);
      const comments = Array.isArray(listed) ? listed.filter(isRecord) : [];
      for (const { id, body, user } of comments) {
        const isBot = isRecord(user) && user.type === "Bot";
        if (isBot && typeof id === "number" && typeof body === "string" && body.startsWith(start))
          return { id, body };
      }
      if (comments.length < perPage) return undefined;
    }
    return undefined;
  }

  async addComment(issue: number, body: string): Promise<void> {
    await this.#ask("POST", `issues/${issue}/comments`, { body });
  }

  async changeComment(id: number, body: string): Promise<void> {
    await this.#ask("PATCH", `issues/comments/${id}`, { body });
  }

  /** @throws GitHubError with status 0 when the API can't be reached. */
  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#send(method, path, body);
      if (answer.status < 500 || attempt === attempts) {
        if (answer.ok) return answer.json();
        throw new GitHubError(answer.status, `${method} ${path}: GitHub answers ${answer.status}`);
      }
      await new Promise((resolve) => setTimeout(resolve, attempt * pauseMs));
    }
  }

  async #send(method: string, path: string, body?: object): Promise<Response> {
    const { url, token, repository } = this.options;
    try {
      return await fetch(`${url}/repos/${repository}/${path}`, {
        method,
        headers: {
          accept: "application/vnd.github+json",
          authorization: `Bearer ${token}`,
          "x-github-api-version": "2022-11-28",
          ...(body ? { "content-type": "application/json" } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (error) {
      throw new GitHubError(0, `${method} ${path}: ${messageOf(error)}`);
    }
  }
}
