import { Problem, type AppRequest } from '../../../common/index.js';

/** Runs `work` with a signal that is given when the client goes away before there is an answer. */
export async function whileConnected<T>(request: AppRequest, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const { socket } = request.raw;
  const gone = (): void => controller.abort(new Problem('request_timeout', { detail: 'The client went away.' }));
  if (socket.destroyed) gone();
  socket.once('close', gone);
  try {
    return await work(controller.signal);
  } finally {
    socket.removeListener('close', gone);
  }
}
