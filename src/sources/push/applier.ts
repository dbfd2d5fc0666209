import type { Engine } from "../../engine/engine.js";
import type { Cause } from "../../engine/published-changes.js";
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

/** Applies contents of sources through an engine, and validates the edits. */
export class Applier {
  constructor(private readonly engine: Engine) {}

  /** Publishes the state, under versions that name its sources; `cause` is for the history. Returns whether it differs from before. */
  publish(cause?: Cause): boolean {
    if (cause) this.engine.because(cause);
    reportPushed(this.engine);
    return this.engine.offer();
  }

  /** Options of the validation of edits; its result is stored. */
  get validation() {
    const { engine } = this;
    const { store, platform, now } = engine;
    const settled = (validated: ValidatedEdits): void => {
      storeKept(store, validated);
      if (validated.kept.length > 0)
        engine.log(describeKept(validated), "objects-kept", { objects: validated.kept.length });
    };
    return { store, platform, now, settled };
  }

  /** Like `validation`, with all units compiled at once. */
  get validationAtOnce() {
    return { ...this.validation, platform: { checkKeyPair: this.engine.platform.checkKeyPair } };
  }

  /** Finishes the previous push: a dry run must not mix with its remaining units. */
  finish(): void {
    const { store, platform } = this.engine;
    if (unitsLeft(store) === 0 && validatingNames(store).length === 0) return;
    resume(store, { checkKeyPair: platform.checkKeyPair });
    validateAtOnce(this.validationAtOnce);
    this.publish();
  }

  /**
   * Validates the edits of the previous push by the objects that were good before it; after the next push these would
   * be lost.
   */
  async finishValidation(name: string): Promise<void> {
    if (!validatingNames(this.engine.store).includes(name)) return;
    const { checkKeyPair, maxUnits, sliceUnits = maxUnits } = this.engine.platform;
    await compileAndValidate({
      ...this.validation,
      platform: { checkKeyPair, ...(sliceUnits === undefined ? {} : { sliceUnits }) },
    });
    this.publish();
  }

  /**
   * Applies a job and publishes the result, as far as the platform allows within one request. Returns whether the
   * result differs.
   */
  async applyAndPublish(job: Job): Promise<boolean> {
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
