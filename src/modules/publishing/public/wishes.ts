import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { typedQuery, type AppRequest } from '../../../common/index.js';
import { PublicDataQuery } from './public-data-query.dto.js';
import type { Visit } from './publication.js';
import { askedOf, type Asked, type Wish } from './wish.js';

const MAX_KNOWN = 2_000;
/** Characters of a question that is kept. */
const MAX_TEXT = 1_000;

/** What was asked of this edition of a publication. */
interface Known {
  readonly edition: number;
  readonly asked: Asked;
}

/**
 * What readers want, by the text of their questions: most ask the same again and again, and the same text of the same reader means the same as long as the
 * publication is the same object in memory, which is some seconds at most. Refusals are not kept.
 */
@Injectable()
export class Wishes {
  private readonly known = new LRUCache<string, Known>({ max: MAX_KNOWN });

  /** @throws Problem 400, 422 */
  async of(visit: Visit, { url, query, headers: { accept } }: AppRequest): Promise<Wish> {
    const text = `${visit.key?.id ?? ''} ${url} ${accept ?? ''}`;
    const before = this.known.get(text);
    const { edition } = visit.publication;
    if (before?.edition === edition) return { visit, ...before.asked };
    const asked = askedOf(visit, await typedQuery(query as object, PublicDataQuery), accept);
    if (text.length <= MAX_TEXT) this.known.set(text, { edition, asked });
    return { visit, ...asked };
  }
}
