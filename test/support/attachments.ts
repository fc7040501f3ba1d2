/** What the API tells of a file. */
export interface Attachment {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly mimeType: string;
  readonly sha256: string;
}

type Content = string | Uint8Array<ArrayBuffer>;

/** A multipart body with one file for each content. */
export function form(
  ...contents: readonly (Content | { readonly content: Content; readonly name?: string; readonly type?: string })[]
): FormData {
  const body = new FormData();
  for (const each of contents) {
    const {
      content,
      name = 'notes.txt',
      type = 'text/plain',
    } = typeof each === 'string' || each instanceof Uint8Array ? { content: each } : each;
    body.append('file', new Blob([content], { type }), name);
  }
  return body;
}
