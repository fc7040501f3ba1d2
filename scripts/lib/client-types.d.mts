/** The types of the client package, as the text of a module. Throws for a schema that no type is known for. */
export function clientTypes(document: {
  readonly paths: object;
  readonly components: { readonly schemas: object };
}): string;
