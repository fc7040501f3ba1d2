/** The package has these typings in another folder than the module. */
declare module 'class-transformer/cjs/storage.js' {
  export const defaultMetadataStorage: {
    findTypeMetadata(
      target: new (...args: never[]) => unknown,
      property: string,
    ): { readonly typeFunction: () => unknown } | undefined;
  };
}
