import type { Engine } from "../../engine/engine.js";
import { inSlices } from "../../engine/slices.js";
import { resume, unitsLeft } from "../../update.js";
import { applyJob, type Job } from "./apply.js";
import {
  compileAndValidate,
  describeKept,
  storeKept,
  type ValidatedEdits,
  validateAtOnce,
} from "./keep-last-good.js";
import { reportPushed } from "./lost-store.js";
import { validatingNames } from "./state.js";

/** Applies contents of sources through an engine, and settles what comes of them. */
export class Applier {
  constructor(private readonly engine: Engine) {}

  /** Has what there is published, under versions that say which sources it is of. Returns whether that is something else. */
  publish(): boolean {
    reportPushed(this.engine);
    return this.engine.offer();
  }

  /** How edits are judged, and what comes of that is kept. */
  get validation() {
    const { engine } = this;
    const { store, platform, now } = engine;
    const settled = (judged: ValidatedEdits): void => {
      storeKept(store, judged);
      if (judged.kept.length > 0) engine.log(describeKept(judged));
    };
    return { store, platform, now, settled };
  }

  /** The same, where all units are compiled at once. */
  get validationAtOnce() {
    return { ...this.validation, platform: { checkKeyPair: this.engine.platform.checkKeyPair } };
  }

  /** What is tried and taken back must not be mixed with what is left of a push before. */
  finish(): void {
    const { store, platform } = this.engine;
    if (unitsLeft(store) === 0 && validatingNames(store).length === 0) return;
    resume(store, { checkKeyPair: platform.checkKeyPair });
    validateAtOnce(this.validationAtOnce);
    this.publish();
  }

  /** Edits of the push before are judged by what was good before it, which the next push would no longer find. */
  async finishJudging(name: string): Promise<void> {
    if (!validatingNames(this.engine.store).includes(name)) return;
    const { checkKeyPair, maxUnits, sliceUnits = maxUnits } = this.engine.platform;
    await compileAndValidate({
      ...this.validation,
      platform: { checkKeyPair, ...(sliceUnits === undefined ? {} : { sliceUnits }) },
    });
    this.publish();
  }

  /** Applies a job and publishes what comes of it, as far as the platform takes it for one request. Returns whether that differs. */
  async carryOut(job: Job): Promise<boolean> {
    let published = false;
    let changed = false;
    const units = await applyJob(this.engine, job, () => {
      validateAtOnce({ ...this.validation, platform: inSlices(this.engine.platform) });
      changed = this.publish();
      published = this.engine.pending === 0;
    });
    if (published) return changed;
    await compileAndValidate(this.validation, units);
    return this.publish();
  }
}
