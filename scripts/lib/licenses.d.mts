/** A package that the product brings along, as package-lock.json has it. */
export interface LicensedPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly license: string;
}
/** Those that run with the server, each once. */
export function licensedPackages(): readonly LicensedPackage[];
/** The text of docs/LICENSES.md. */
export function licensesDocument(): string;
