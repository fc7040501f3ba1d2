/** The package has these typings in another folder than the module. */
declare module 'class-transformer/cjs/storage.js' {
  import type { TransformationType, TransformFnParams } from 'class-transformer';

  type Class = new (...args: never[]) => unknown;
  export const defaultMetadataStorage: {
    findTypeMetadata(target: Class, property: string): { readonly typeFunction: () => unknown } | undefined;
    findTransformMetadatas(
      target: Class,
      property: string,
      type: TransformationType,
    ): readonly { readonly transformFn: (params: TransformFnParams) => unknown }[];
    getExposedProperties(target: Class, type: TransformationType): readonly string[];
    getExcludedProperties(target: Class, type: TransformationType): readonly string[];
  };
}
