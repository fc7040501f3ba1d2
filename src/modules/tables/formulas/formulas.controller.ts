import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems, CurrentCaller, SignedIn, type Caller } from '../../../common/index.js';
import { CheckFormulaDto, FormulaCheckDto } from './formula-check.dto.js';
import { FormulasService } from './formulas.service.js';

@ApiTags('Columns')
@ApiBearerAuth()
@Controller('formulas')
export class FormulasController {
  constructor(private readonly formulas: FormulasService) {}

  @Post('check')
  @HttpCode(200)
  @SignedIn()
  @ApiOperation({
    summary: 'Check a formula while it is typed',
    description:
      'What it gives, or all that is wrong with it and where; with `position` also what can stand there. Stores nothing. Whoever may read the structure of the table may ask.',
  })
  @ApiOkResponse({ type: FormulaCheckDto })
  @ApiProblems('not_found', 'validation_failed')
  check(@CurrentCaller() caller: Caller, @Body() body: CheckFormulaDto): Promise<FormulaCheckDto> {
    return this.formulas.check(caller, body);
  }
}
