/**
 * A page for people about one published view. It holds nothing of the view: it reads the view's own document, as any reader does, with the key that
 * somebody puts in. All that comes from there becomes text nodes.
 */
export const publicPage = (nonce: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Published view</title>
<style nonce="${nonce}">
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff; }
table { border-collapse: collapse; } td, th { border: 1px solid #ccc; padding: .25rem .6rem; text-align: left; vertical-align: top; }
input { font: inherit; width: 100%; box-sizing: border-box; } label { display: block; margin: .5rem 0; } button { font: inherit; }
pre { background: #f4f4f4; padding: .75rem; overflow: auto; max-height: 30rem; }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1b; } pre { background: #2a2a2a; } td, th { border-color: #555; } }
</style>
</head>
<body>
<main>
<h1 id="title">Published view</h1>
<p id="about">Read-only data.</p>
<form id="form">
<label id="key-label" hidden>API key <input id="key" type="password" autocomplete="off" spellcheck="false"></label>
<div id="fields"></div>
<button type="submit">Read</button>
</form>
<p id="told" role="status"></p>
<pre id="answer" hidden></pre>
<h2>Columns</h2>
<table><thead><tr><th scope="col">Key</th><th scope="col">Name</th><th scope="col">Type</th></tr></thead><tbody id="columns"></tbody></table>
<p><a id="document" href="">OpenAPI document</a></p>
</main>
<script nonce="${nonce}">
const at = (id) => document.getElementById(id);
const path = location.pathname.replace(/\\/+$/, '');
const headers = () => (at('key').value ? { 'X-API-Key': at('key').value } : {});
at('document').href = path + '/openapi.json';
const typeOf = (schema) => {
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' or ');
  if (schema.type === 'array') return 'list of ' + typeOf(schema.items);
  return [schema.format || schema.type || 'any', schema.enum ? '(' + schema.enum.join(', ') + ')' : ''].join(' ').trim();
};
async function describe() {
  const answer = await fetch(path + '/openapi.json', { headers: headers() });
  if (answer.status === 401) {
    at('key-label').hidden = false;
    at('told').textContent = 'Put in a key to see what it opens.';
    return false;
  }
  if (!answer.ok) {
    at('told').textContent = answer.status + ': this cannot be shown.';
    return false;
  }
  const api = await answer.json();
  document.title = api.info.title;
  at('title').textContent = api.info.title;
  at('about').textContent = api.info.description;
  const rows = Object.entries(api.components.schemas.Row.properties).map(([key, schema]) => {
    const row = document.createElement('tr');
    for (const text of [key, schema.title || '', typeOf(schema)]) row.insertCell().textContent = text;
    return row;
  });
  at('columns').replaceChildren(...rows);
  const known = new Map([...at('fields').querySelectorAll('input')].map((input) => [input.name, input.value]));
  const fields = api.paths[path + '/data'].get.parameters.filter((each) => each.in === 'query').map(({ name, description }) => {
    const label = document.createElement('label');
    const input = document.createElement('input');
    input.name = name;
    input.value = known.get(name) || '';
    label.append(name, ' – ', description || '', input);
    return label;
  });
  at('fields').replaceChildren(...fields);
  return true;
}
at('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  if (!(await describe())) return;
  const asked = new URLSearchParams();
  for (const input of at('fields').querySelectorAll('input')) if (input.value) asked.set(input.name, input.value);
  const answer = await fetch(path + '/data?' + asked, { headers: headers() });
  at('told').textContent = answer.status + ' ' + path + '/data?' + asked;
  at('answer').textContent = await answer.text();
  at('answer').hidden = false;
});
describe();
</script>
</body>
</html>
`;
