import type { Publisher } from "../../engine/publisher.js";
import { inSlices } from "../../engine/slices.js";
import type { Store } from "../../store/store.js";
import { type Platform, resume, unitsLeft } from "../../update.js";
import { compileAndJudge, describeKept, type Judged, judgeAtOnce, storeKept } from "./keep-last-good.js";
import { tellPushed } from "./lost-store.js";
import { applyJob, type Job } from "./source-apply.js";
import { judgingNames, workLeft } from "./source-state.js";

/** Applies contents of sources to a store, settles what comes of them, and publishes it. */
export class Applier {
  constructor(
    private readonly store: Store,
    private readonly publisher: Publisher,
    private readonly platform: Platform,
  ) {}

  /** Publishes what there is, under versions that say which sources it is of. Returns whether that is something else. */
  publish(): boolean {
    tellPushed(this.store, this.publisher);
    return this.publisher.publish();
  }

  /** How edits are judged, and what comes of that is kept. */
  get judgement() {
    const { store, platform, publisher } = this;
    const settled = (judged: Judged): void => {
      storeKept(store, judged);
      if (judged.kept.length > 0) publisher.log(describeKept(judged));
    };
    return { store, platform, now: publisher.now, settled };
  }

  /** The same, where all units are compiled at once. */
  get judgementAtOnce() {
    return { ...this.judgement, platform: { checkKeyPair: this.platform.checkKeyPair } };
  }

  /** What is tried and taken back must not be mixed with what is left of a push before. */
  finish(): void {
    if (unitsLeft(this.store) === 0 && judgingNames(this.store).length === 0) return;
    resume(this.store, { checkKeyPair: this.platform.checkKeyPair });
    judgeAtOnce(this.judgementAtOnce);
    this.publish();
  }

  /** Edits of the push before are judged by what was good before it, which the next push would no longer find. */
  async finishJudging(name: string): Promise<void> {
    if (!judgingNames(this.store).includes(name)) return;
    const { checkKeyPair, maxUnits, sliceUnits = maxUnits } = this.platform;
    await compileAndJudge({
      ...this.judgement,
      platform: { checkKeyPair, ...(sliceUnits === undefined ? {} : { sliceUnits }) },
    });
    this.publish();
  }

  /** Applies a job and publishes what comes of it, as far as the platform takes it for one request. Returns whether that differs. */
  async carryOut(job: Job): Promise<boolean> {
    let published = false;
    let changed = false;
    const units = await applyJob(this.store, job, this.platform, () => {
      judgeAtOnce({ ...this.judgement, platform: inSlices(this.platform) });
      changed = this.publish();
      published = workLeft(this.store) === 0;
    });
    if (published) return changed;
    await compileAndJudge(this.judgement, units);
    return this.publish();
  }
}
