import { Injectable } from '@nestjs/common';

/** Schemas of two bases, or of one whose table was copied. */
export interface CopiedBase {
  readonly fromSchema: string;
  readonly toSchema: string;
}

/** Copies what another module keeps beside the rows. It may be called again for the same copy, when a request is repeated. */
export type CopyStep = (copied: CopiedBase) => Promise<void>;

/** What follows when rows of one base were copied into another: other modules add here what they have to copy, too. */
@Injectable()
export class BaseCopy {
  private readonly steps: CopyStep[] = [];

  after(step: CopyStep): void {
    this.steps.push(step);
  }

  async run(copied: CopiedBase): Promise<void> {
    for (const step of this.steps) await step(copied);
  }
}
