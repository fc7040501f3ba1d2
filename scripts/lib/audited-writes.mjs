/**
 * ESLint rule: metadata is written with the manager that `AuditedTransaction` hands out (its type is `AuditedManager`), and in
 * no other way. Goes by types, not by names: every DataSource, EntityManager, Repository and query builder of TypeORM counts.
 */

const WRITES = [
  'insert', 'update', 'updateAll', 'upsert', 'save', 'delete', 'deleteAll', 'remove', 'softDelete', 'softRemove', 'restore',
  'recover', 'increment', 'decrement', 'clear', 'query', 'sql',
]; // prettier-ignore

/** What must not be touched, by class of TypeORM. Queries in SQL are there, too: nobody can see what they do. */
const REFUSED = {
  DataSource: ['transaction', 'createQueryRunner', 'query', 'sql', 'driver', 'synchronize', 'dropDatabase', 'runMigrations'],
  EntityManager: [...WRITES, 'transaction', 'queryRunner'],
  Repository: [...WRITES, 'queryRunner'],
  QueryBuilder: ['insert', 'update', 'delete', 'softDelete', 'restore', 'setQueryRunner', 'useTransaction'],
}; // prettier-ignore

const HOW =
  'Metadata is written in AuditedTransaction.run(), with the AuditedManager that it hands to the work; reads that belong together go through MainDatabase.snapshot().';

/** @type {import('eslint').Rule.RuleModule} */
export const auditedWrites = {
  meta: {
    type: 'problem',
    messages: {
      write: `{{class}}.{{member}} goes past the audit log. ${HOW}`,
      computed: `A computed member of {{class}} could be anything. ${HOW}`,
      withoutAudit: 'withoutAudit() is for the files that eslint.config.mjs names, each with its reason.',
    },
    schema: [
      { type: 'object', properties: { withoutAudit: { type: 'object', additionalProperties: { type: 'string' } } } },
    ],
  },
  create(context) {
    const { sourceCode, filename, options } = context;
    const services = sourceCode.parserServices;
    const checker = services.program.getTypeChecker();
    const mayLeaveOut = Object.keys(options[0]?.withoutAudit ?? {}).some((file) => filename.endsWith(`/${file}`));

    /** Names of a type's classes and of those that they extend. */
    const classesOf = (type) => {
      const bound = checker.getBaseConstraintOfType(type) ?? type;
      if (bound.isUnionOrIntersection()) return bound.types.flatMap(classesOf);
      const name = bound.getSymbol()?.getName();
      const target = bound.target ?? bound;
      const bases = target.isClassOrInterface?.() ? checker.getBaseTypes(target).flatMap(classesOf) : [];
      return name === undefined ? bases : [name, ...bases];
    };
    const namesAt = (node) => classesOf(services.getTypeAtLocation(node));

    /** Of a chain of calls on a query builder: whether it begins at an AuditedManager. */
    const beginsAudited = (node) => {
      for (let at = node; at.type === 'CallExpression' && at.callee.type === 'MemberExpression'; at = at.callee.object)
        if (at.callee.property.name === 'createQueryBuilder')
          return namesAt(at.callee.object).includes('AuditedManager');
      return false;
    };

    const judge = (node, owner, member) => {
      const names = namesAt(owner);
      if (member === 'withoutAudit' && names.includes('AuditedTransaction') && !mayLeaveOut)
        context.report({ node, messageId: 'withoutAudit' });
      const refused = Object.keys(REFUSED).find((name) => names.includes(name));
      if (refused === undefined || names.includes('AuditedManager')) return;
      const data = { class: refused, member };
      if (member === undefined) context.report({ node, messageId: 'computed', data });
      else if (REFUSED[refused].includes(member) && !(refused === 'QueryBuilder' && beginsAudited(owner)))
        context.report({ node, messageId: 'write', data });
    };

    const nameOf = ({ computed, property, key }) => {
      const name = property ?? key;
      if (!computed) return name.name ?? String(name.value);
      return name.type === 'Literal' ? String(name.value) : undefined;
    };
    return {
      MemberExpression: (node) => judge(node, node.object, nameOf(node)),
      // const { insert } = manager
      'ObjectPattern > Property': (node) => judge(node, node.parent, nameOf(node)),
    };
  },
};
