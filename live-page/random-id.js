/** 128 random bits. `crypto.randomUUID` is there over HTTPS only, and operators look at this page by a plain address as well. */
export const randomId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
