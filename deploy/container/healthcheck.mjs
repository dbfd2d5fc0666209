// The health check of the image: exit code 0 if the server on the port (18000) answers over https or http.
import { get as plain } from "node:http";
import { get as secure } from "node:https";

const path = `//127.0.0.1:${process.argv[2] ?? "18000"}/healthz`;
const ask = (get, protocol) =>
  new Promise((done) => {
    // The certificate is for the server's name, not for this address.
    get(`${protocol}:${path}`, { rejectUnauthorized: false, timeout: 1200 }, ({ statusCode }) =>
      done(statusCode === 200),
    )
      .on("timeout", () => done(false))
      .on("error", () => done(false));
  });

process.exit((await ask(secure, "https")) || (await ask(plain, "http")) ? 0 : 1);
