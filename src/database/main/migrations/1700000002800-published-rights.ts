import type { MigrationInterface, QueryRunner } from 'typeorm';

/** With whose rights a view was published, version by version; nobody kept that of those that are. */
export class PublishedRights1700000002800 implements MigrationInterface {
  name = 'PublishedRights1700000002800';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table view_apis add column rights json;
      alter table view_api_versions add column rights json;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table view_api_versions drop column rights;
      alter table view_apis drop column rights;
    `);
  }
}
