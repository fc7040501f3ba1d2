import { Inject, Injectable } from '@nestjs/common';
import { CheckpointSigner, SharedRuns, type Checkpoint, type Id } from '../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../config/index.js';
import { AuditChain, type AuditVerdict } from '../../database/main/index.js';
import type { AuditCheckpointDto, AuditVerdictDto } from './dto/audit-chain.dto.js';

/** So many logs are verified at once on one node; each is read as a whole. */
const AT_ONCE = 2;

type WorkspaceCheckpoint = Checkpoint<'workspace'> & { readonly at: string };

/** Use cases of the hash chain over the metadata of a workspace: whether its audit log is what was written. */
@Injectable()
export class AuditChainService {
  private readonly signer: CheckpointSigner<'workspace', WorkspaceCheckpoint>;
  private readonly runs = new SharedRuns<AuditVerdict>(AT_ONCE, `This server verifies ${AT_ONCE} logs already.`);

  constructor(
    private readonly chain: AuditChain,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.signer = new CheckpointSigner('workspace', ...encryptionKeysOf(config));
  }

  /**
   * Computes the chain anew, up to where it stands. Whoever asks while somebody does gets the same answer.
   * @throws Problem `validation_failed` a checkpoint that is none of this workspace; `overloaded`
   */
  async verify(workspaceId: Id, token?: string): Promise<AuditVerdictDto> {
    const checkpoint = token === undefined ? undefined : this.signer.open(token, workspaceId);
    const { broken, ...verdict } = await this.runs.run(workspaceId, () => this.chain.verify(workspaceId));
    const told = { ...verdict, brokenAt: broken?.seq ?? null, brokenEntry: broken?.entryId ?? null };
    if (!checkpoint) return told;
    if (await this.holds(checkpoint)) return { ...told, checkpoint: 'matches' };
    const isFirst = told.brokenAt === null || checkpoint.seq < told.brokenAt;
    return {
      ...told,
      ...(isFirst ? { brokenAt: checkpoint.seq, brokenEntry: null } : {}),
      ok: false,
      checkpoint: 'differs',
    };
  }

  /** Where the chain stands, signed. */
  async checkpoint(workspaceId: Id): Promise<AuditCheckpointDto> {
    const head = await this.chain.head(workspaceId);
    return this.signer.seal({ workspaceId, ...head, at: new Date().toISOString() });
  }

  private async holds({ workspaceId, seq, hash }: WorkspaceCheckpoint): Promise<boolean> {
    return seq === 0 || (await this.chain.linkOf(workspaceId, seq)) === hash;
  }
}
