import { walk } from "../support/walk.js";
import { plainPages } from "./plain-pages.js";

for (const page of plainPages) walk(page, {});
