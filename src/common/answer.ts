import { API_PREFIX } from './http.js';
import { LentText } from './lent-text.js';
import type { DatabaseWork } from './query-facts.js';

/** What an answer carries besides its body. */
export interface AnswerOptions extends DatabaseWork {
  /** Instead of the route's own (201 for POST, else 200, or its `@HttpCode`). */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A write has happened that this tells of: it goes out whatever its size, for a refusal would say that nothing was written. */
  readonly committed?: true;
}

/**
 * A handler returns this instead of a plain value when the answer has a status or headers of its own.
 * Document the body with `@ApiOkResponse({ type })`, because the return type no longer tells it.
 */
export class Answer<T = unknown> {
  constructor(
    readonly body: T,
    readonly options: AnswerOptions = {},
  ) {}
}

/** 201 with `Location`: the answer to every create. `path` is below the API's base path, such as `/bases/{id}`. */
export const created = <T>(path: string, body: T): Answer<T> =>
  new Answer(body, { status: 201, headers: { location: `/${API_PREFIX}${path}` } });

/** 202 with `Location`: where to look how far it is. */
export const accepted = <T>(path: string, body: T): Answer<T> =>
  new Answer(body, { status: 202, headers: { location: `/${API_PREFIX}${path}` } });

/** Thrown where the answer is known already and nobody further on is to be asked; it has no body. */
export class AnsweredBefore extends Error {
  constructor(readonly answer: Answer) {
    super('This request was answered before.');
    this.name = 'AnsweredBefore';
  }
}

/** A piece of a text. */
export type JsonPiece = string | LentText;

/**
 * JSON that PostgreSQL wrote: goes out byte for byte as `application/json`, neither parsed nor serialised again.
 * The caller answers for the text being JSON.
 */
export class JsonText extends Answer<readonly JsonPiece[]> {
  /** Bytes of the text in UTF-8. */
  readonly size: number;

  /** @param text whole, or in pieces: a long one need not be put together only to be sent */
  constructor(text: string | readonly JsonPiece[], options?: AnswerOptions) {
    super(typeof text === 'string' ? [text] : text, options);
    this.size = this.body.reduce((size, piece) => size + sizeOf(piece), 0);
  }

  get text(): string {
    return this.body.join('');
  }

  /** Whether a piece of it is lent, so that the bytes are good until it is given back. */
  get isLent(): boolean {
    return this.body.some((piece) => piece instanceof LentText);
  }

  /** Once nobody reads the bytes any more. */
  giveBack(): void {
    for (const piece of this.body) if (piece instanceof LentText) piece.giveBack();
  }

  /** In UTF-8, straight from the pieces: sent as one text a page would be copied twice more, where it has to be collected as garbage. */
  toBytes(): Buffer {
    const [before, lent, after = ''] = this.body;
    if (typeof before === 'string' && lent instanceof LentText && typeof after === 'string' && this.body.length <= 3)
      return lent.within(before, after);
    const bytes = Buffer.allocUnsafe(this.size);
    let at = 0;
    for (const piece of this.body) at += bytes.write(String(piece), at);
    return bytes;
  }
}

const sizeOf = (piece: JsonPiece): number => (typeof piece === 'string' ? Buffer.byteLength(piece) : piece.size);
