export function parseCsv(text: string): string[][];
export function parseCsvObjects(text: string): Record<string, string>[];
