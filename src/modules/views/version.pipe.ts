import { Injectable, type PipeTransform } from '@nestjs/common';
import { notFound } from '../../common/index.js';

/** A version in a path; what is none is not there. */
@Injectable()
export class VersionPipe implements PipeTransform<string, number> {
  transform(text: string): number {
    if (!/^[1-9]\d{0,8}$/.test(text)) throw notFound('version');
    return Number(text);
  }
}
