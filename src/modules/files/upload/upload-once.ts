import { Injectable } from '@nestjs/common';
import { created, Problem, type Access, type Answer, type AppRequest, type Id } from '../../../common/index.js';
import { LateAnswers } from '../../idempotency/index.js';
import { toAttachmentDto } from '../files.service.js';
import { UploadsService } from './uploads.service.js';

/**
 * The answer to an upload; under an `Idempotency-Key` the same to each repetition. Whether a body is the same shows when all of it
 * has arrived (names, types and hashes of its files), so a repetition is taken in first and its files are removed again.
 */
@Injectable()
export class UploadOnce {
  constructor(
    private readonly uploads: UploadsService,
    private readonly answers: LateAnswers,
  ) {}

  /** @throws Problem as {@link UploadsService.upload} does, `idempotency_mismatch`, `idempotency_in_progress` */
  async upload(access: Access, tableId: Id, request: AppRequest): Promise<Answer> {
    const key = this.answers.keyOf(request);
    const files = await this.uploads.upload(access, tableId, request.raw);
    const data = files.map(toAttachmentDto);
    const answer = created(`/tables/${tableId}/attachments/${data[0]?.id ?? ''}`, { data });
    if (key === undefined) return answer;
    const asked = data.map(({ name, mimeType, sha256 }) => ({ name, mimeType, sha256 }));
    try {
      const earlier = await this.answers.settle(request, key, asked, answer);
      if (earlier) await this.uploads.takeBack(tableId, files);
      return earlier ?? answer;
    } catch (error) {
      // After any other error the answer may have been kept all the same; files that nobody got to know are the sweeper's.
      if (error instanceof Problem) await this.uploads.takeBack(tableId, files);
      throw error;
    }
  }
}
