import { Told } from '../lib/project.mjs';

/** Something did not turn out as this tour expects; the message is one sentence. */
export function expectThat(holds, sentence) {
  if (!holds) throw new Told(sentence);
}

const WIDEST = 100;

/**
 * An HTTP client that shows each call it makes. `{names}` in a path are shown as they are and filled from `params`, so that
 * what is printed reads like the documentation. Throws {@link Told} when the answer has another status than `status`.
 */
export function createApi(base, { say, token, who }) {
  return {
    who,
    token,
    as: (person, accessToken) => createApi(base, { say, token: accessToken, who: person }),
    say,
    async call(method, path, { status = 200, params = {}, query = {}, body, headers = {}, note, quiet = false } = {}) {
      const search = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
      const filled = path.replace(/\{(\w+)\}/g, (_all, name) => encodeURIComponent(params[name]));
      const url = `${base}/api/v1${filled}${search.length > 0 ? `?${search.join('&')}` : ''}`;
      const startedAt = performance.now();
      const answer = await send(url, method, token, body, headers);
      const ms = Math.round(performance.now() - startedAt);
      if (!quiet) {
        const shownQuery = Object.entries(query).map(([name, value]) => `${name}=${value}`);
        const shown = `${method.padEnd(5)} ${path}${shownQuery.length > 0 ? `?${shownQuery.join('&')}` : ''}`;
        for (const line of [shown, ...shownHeaders(headers), ...shownBody(body)]) say(`     ${line}`);
        say(`     → ${answer.status}${note ? ` ${note(answer.body)}` : ''} (${ms} ms)`);
      }
      expectThat(
        answer.status === status,
        `${method} ${filled} answered ${answer.status}${reasonOf(answer.body)} instead of ${status}.`,
      );
      return answer;
    },
  };
}

async function send(url, method, token, body, headers) {
  try {
    const response = await fetch(url, {
      method,
      signal: AbortSignal.timeout(30_000),
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: jsonOf(text) };
  } catch (error) {
    const reason = error.cause?.code ?? error.name;
    throw new Told(`${method} ${url} got no answer (${reason}): see that the server runs and try again.`);
  }
}

function jsonOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const reasonOf = (body) => (body?.code ? ` (${body.code}${body.detail ? `: ${body.detail}` : ''})` : '');

const shownHeaders = (headers) => Object.entries(headers).map(([name, value]) => `      ${name}: ${value}`);

/** A body in a few lines; long lists show their first item and how many more there are. */
function shownBody(body) {
  if (body === undefined) return [];
  const text = JSON.stringify(body, (name, value) => {
    if (name === 'password') return '…';
    return Array.isArray(value) && value.length > 20 ? [value[0], `… ${value.length - 1} more`] : value;
  });
  return wrapped(text).map((line) => `      ${line}`);
}

/** Broken behind commas, so that no line is wider than a terminal as a rule. */
function wrapped(text) {
  if (text.length <= WIDEST) return [text];
  const comma = text.lastIndexOf(',', WIDEST - 1);
  const end = comma > 0 ? comma + 1 : WIDEST;
  return [text.slice(0, end), ...wrapped(text.slice(end))];
}
