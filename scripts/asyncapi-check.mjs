/**
 * Reads an AsyncAPI document from stdin and prints what the official parser holds against it, as JSON, one array of
 * `{severity, message, path}` (severity 0 is an error). A process of its own, so that Jest need not load the parser.
 */
import { text } from 'node:stream/consumers';
import { Parser } from '@asyncapi/parser';

const { diagnostics } = await new Parser().parse(await text(process.stdin));
const findings = diagnostics.map(({ severity, message, path }) => ({ severity, message, path: path.join('.') }));
process.stdout.write(JSON.stringify(findings));
