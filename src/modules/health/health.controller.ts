import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';
import { Public, Traits, type Answer } from '../../common/index.js';
import { AliveDto, HealthDto } from './health.dto.js';
import { HealthService } from './health.service.js';

@ApiTags('Health')
@Public()
@SkipThrottle()
@Controller('health')
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get()
  @ApiOperation({ summary: 'How this node and what it needs are doing' })
  @ApiOkResponse({ type: HealthDto })
  @ApiServiceUnavailableResponse({ type: HealthDto, description: 'A part is down; it is named in `error`.' })
  report(): Promise<Answer<HealthDto>> {
    return this.health.report();
  }

  @Get('live')
  @Traits({ quiet: true })
  @ApiOperation({
    summary: 'Whether the process answers at all',
    description: 'For liveness probes; touches no database.',
  })
  live(): AliveDto {
    return { status: 'ok' };
  }

  @Get('ready')
  @Traits({ quiet: true })
  @ApiOperation({ summary: 'Whether to send requests here', description: 'For readiness probes and load balancers.' })
  @ApiOkResponse({ type: HealthDto })
  @ApiServiceUnavailableResponse({ type: HealthDto, description: 'A database is down, or the node is stopping.' })
  ready(): Promise<Answer<HealthDto>> {
    return this.health.readiness();
  }
}
