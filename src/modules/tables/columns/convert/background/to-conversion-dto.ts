import type { ColumnConversionDto } from '../convert.dto.js';
import type { ColumnConversionEntity } from './column-conversion.entity.js';

export const toConversionDto = (conversion: ColumnConversionEntity): ColumnConversionDto => ({
  id: conversion.id,
  tableId: conversion.tableId,
  columnId: conversion.columnId,
  to: { type: conversion.toType, options: { ...conversion.toOptions } },
  onError: conversion.onError,
  state: conversion.state,
  rows: Number(conversion.rows),
  rowsDone: Number(conversion.rowsDone),
  ...(conversion.error
    ? {
        error: {
          code: conversion.error.code,
          detail: conversion.error.detail,
          ...(conversion.error.errors ? { errors: [...conversion.error.errors] } : {}),
        },
      }
    : {}),
  createdAt: conversion.createdAt.toISOString(),
  finishedAt: conversion.finishedAt?.toISOString() ?? null,
});
