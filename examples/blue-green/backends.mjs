// Two backends on this machine: one answers "blue", the other "green".
import { createServer } from "node:http";

for (const [colour, port] of [
  ["blue", 18091],
  ["green", 18092],
])
  createServer((_, answer) => answer.end(`${colour}\n`)).listen(port, "127.0.0.1", () =>
    console.log(`${colour} listens on ${port}`),
  );
