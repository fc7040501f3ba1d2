import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { AnsweredBefore } from '../answer.js';
import { isError, Problem } from '../errors/index.js';
import type { AppReply } from '../http.js';
import { sendProblem } from './send-problem.js';
import { toProblem } from './to-problem.js';

/** The one exit of every error on HTTP: a problem document for the caller, the cause for the log. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Problem');

  catch(error: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw error;
    const reply = host.switchToHttp().getResponse<AppReply>();
    if (error instanceof AnsweredBefore) {
      const { status = 204, headers = {} } = error.answer.options;
      void reply.code(status).headers(headers).send();
    } else this.answer(error, reply);
  }

  /** Also for what fails outside Nest's handlers. */
  answer(error: unknown, reply: AppReply): void {
    if (reply.raw.destroyed && isCutOff(error)) {
      this.logger.debug({ requestId: reply.request.id, msg: 'The caller has gone' });
      return;
    }
    const problem = reply.request.is404 ? noRoute(reply) : toProblem(error);
    if (problem.status >= 500) {
      const fields = { requestId: reply.request.id, code: problem.code, err: problem.cause ?? problem };
      if (problem.status === 500) this.logger.error(fields);
      // A refusal that we decided on ourselves is in the log of requests; in a rush its stack would be there a thousand times.
      else if (problem.cause !== undefined) this.logger.warn(fields);
    }
    if (!reply.sent) sendProblem(reply, problem);
    // The status is on the wire already: to cut the connection is the only way left to say that this is not the whole answer.
    else if (!reply.raw.writableEnded) reply.raw.destroy();
  }
}

/** An answer that was on its way through the compressor when there was nobody any more to take it. */
const isCutOff = (error: unknown): boolean =>
  isError(error) && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';

const noRoute = ({ request }: AppReply): Problem =>
  new Problem('route_not_found', { detail: `There is no ${request.method} on this path; see /api/docs.` });
