import type { FastifyInstance } from 'fastify';
import type { AppReply, AppRequest } from '../http.js';
import { lingerOver } from './linger.js';

/** What every answer says, whoever makes it: which request it belongs to, and what it took. */
export function answerHeaders(request: AppRequest, reply: AppReply): void {
  const app = reply.elapsedTime.toFixed(1);
  const timing =
    request.databaseMs === undefined ? `app;dur=${app}` : `app;dur=${app}, db;dur=${request.databaseMs.toFixed(1)}`;
  void reply.header('x-request-id', request.id).header('server-timing', timing);
}

/** Hooks of Fastify and not interceptors of Nest: they also see errors, 404s and files, and cost a fraction. */
export function registerRequestHooks(
  instance: FastifyInstance,
  onAnswered: (request: AppRequest, reply: AppReply) => void,
): void {
  // Declared up front, so that every request object has the same shape and stays fast.
  for (const name of ['principal', 'access', 'bodyProblem', 'databaseMs', 'queryFacts', 'trace'])
    instance.decorateRequest(name);
  instance.addHook('onSend', (request, reply, payload, done) => {
    answerHeaders(request, reply);
    lingerOver(request, reply);
    done(null, payload);
  });
  instance.addHook('onResponse', (request, reply, done) => {
    onAnswered(request, reply);
    done();
  });
}
