import { constants } from 'node:zlib';
import type { FastifyCompressOptions } from '@fastify/compress';

/** Text, and no event stream: its events would wait in the compressor. What is compressed already is left as it is. */
const COMPRESSIBLE = /^(text\/(?!event-stream)|application\/(json|javascript|x-ndjson|[\w.-]+\+json)|image\/svg)/i;

/**
 * Answers of some size, for whoever asks by `Accept-Encoding`. The least effort: rows come down to a quarter; more
 * takes far more of the processor than it takes off the wire. Bodies of requests are not decompressed: a small one may hold a huge one.
 */
export const COMPRESSION: FastifyCompressOptions = {
  globalDecompression: false,
  encodings: ['br', 'gzip'],
  threshold: 4_096,
  customTypes: COMPRESSIBLE,
  brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } },
  zlibOptions: { level: 1 },
};
