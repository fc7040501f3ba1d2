import type { UserEntity } from './user.entity.js';

/** A person, as that person sees the own account. */
export class UserDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  /** @example 'ada@example.com' */
  email!: string;
  /** @example 'Ada Lovelace' */
  name!: string;
  /** @example '2026-11-22T20:45:00.000Z' */
  createdAt!: string;
}

/** A person, as other members of a workspace see him. */
export class PersonDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  /** @example 'ada@example.com' */
  email!: string;
  /** @example 'Ada Lovelace' */
  name!: string;
}

export const toUserDto = (user: UserEntity): UserDto => ({
  id: user.id,
  email: user.email,
  name: user.name,
  createdAt: user.createdAt.toISOString(),
});

export const toPersonDto = ({ id, email, name }: UserEntity): PersonDto => ({ id, email, name });
