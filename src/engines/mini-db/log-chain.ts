import { Injectable } from '@nestjs/common';
import type { Id } from '../../common/index.js';
import { MiniDatabase } from '../../database/mini/index.js';
import { chainEnds, judgeLinks, linkOf, toStatement, type Link } from '../../query/index.js';

/** Where the hash chain of a table's change log begins and ends. */
export interface ChainEnds {
  readonly epoch: string;
  /** The newest number, and its link. */
  readonly head: Link;
  /** The last link that none is kept of, or that there is none of: the chain begins behind it. */
  readonly anchor: Link;
  /** Up to here numbers are not kept any more. */
  readonly forgotten: number;
  /** The first number that should not be there. */
  readonly stray?: number;
}

/** A portion of a chain that was computed anew. */
export interface JudgedLinks {
  /** How many entries that were. */
  readonly entries: number;
  /** The last number of the portion, as it is kept; absent where there was none. */
  readonly last?: Link;
  /** The first number that is missing, or whose link is another. */
  readonly brokenAt?: number;
}

/** So many entries are computed at once. */
const PORTION = 20_000;

/** Reads the hash chains of change logs. What a link is: `compile/chain.ts`. */
@Injectable()
export class LogChain {
  constructor(private readonly database: MiniDatabase) {}

  /** Undefined where the table has no log. */
  async ends(schema: string, tableId: Id): Promise<ChainEnds | undefined> {
    const [row] = await this.database.query(toStatement(chainEnds(schema, tableId)));
    if (!row) return undefined;
    const [epoch, seq, head, anchorSeq, anchor, forgotten, stray] = row;
    return {
      epoch: String(epoch),
      head: { seq: Number(seq), hash: head ?? '' },
      anchor: { seq: Number(anchorSeq), hash: anchor ?? '' },
      forgotten: Number(forgotten),
      ...(stray === null || stray === undefined ? {} : { stray: Number(stray) }),
    };
  }

  /** Computes the next portion behind a link, up to a number. */
  async judge(schema: string, tableId: Id, after: Link, upTo: number): Promise<JudgedLinks> {
    const [row] = await this.database.query(toStatement(judgeLinks(schema, tableId, after, upTo, PORTION)));
    const [entries, seq, hash, broken] = row ?? [];
    return {
      entries: Number(entries),
      ...(seq === null || seq === undefined ? {} : { last: { seq: Number(seq), hash: hash ?? '' } }),
      ...(broken === null || broken === undefined ? {} : { brokenAt: Number(broken) }),
    };
  }

  /** The link of a number as it is kept; undefined where there is none. */
  async linkOf(schema: string, tableId: Id, seq: number): Promise<string | undefined> {
    const [row] = await this.database.query(toStatement(linkOf(schema, tableId, seq)));
    return row?.[0] ?? undefined;
  }
}
