import fc from "fast-check";

// The same in each `npm test`, so that only the change decides what fails; `npm run test:long` takes another seed each time.
fc.configureGlobal({ seed: Number(process.env.SEED ?? 1) });

export { fc };
