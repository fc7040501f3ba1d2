/**
 * Keeps the session over a reload, and nowhere else: it lies in the tab's own storage only from the moment that the page goes until it is there
 * again. While the page lives it is in memory. So a tab that is duplicated does not share the refresh token, which works only once.
 */
const KEY = 'live-tables-session';

export function keepOverReloads(session) {
  const kept = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  if (kept !== null) session.resume(JSON.parse(kept));
  addEventListener('pagehide', () => {
    if (session.current) sessionStorage.setItem(KEY, JSON.stringify(session.current));
  });
  addEventListener('pageshow', () => sessionStorage.removeItem(KEY));
}
