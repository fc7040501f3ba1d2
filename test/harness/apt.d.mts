export declare function which(...names: string[]): string | undefined;
export declare function aptInstall(name: string): boolean;
