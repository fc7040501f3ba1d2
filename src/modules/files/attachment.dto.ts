import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';

/** A file, as an attachment column shows it. */
export class AttachmentDto {
  /** What goes into a cell of an attachment column. @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  /** @example 'Offer 2027.pdf' */
  name!: string;
  /** Bytes. @example 48213 */
  size!: number;
  /** As the sender declared it. @example 'application/pdf' */
  mimeType!: string;
  /** Hash of the bytes, hexadecimal. @example '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' */
  sha256!: string;
}

/** The files of an upload, in their order. */
export class UploadedAttachmentsDto {
  data!: AttachmentDto[];
}

/** A file, and where to get it for a while. */
export class AttachmentLinkDto extends AttachmentDto {
  /** Path on this host; whoever has it gets the file, without a token. @example '/api/v1/files/kQy3…' */
  url!: string;
  /** Until when it works. @example '2027-03-01T09:15:00.000Z' */
  expiresAt!: string;
}

/** The query string of a download. */
export class DownloadQuery {
  @ApiPropertyOptional({ enum: ['1'], description: 'Shown by browsers instead of saved; for images and PDF only.' })
  @IsOptional()
  @IsIn(['1'])
  inline?: '1';
}
