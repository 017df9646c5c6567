import { z } from 'zod';
import { playbookIdSchema } from '../events/playbook.ts';
import { type Operation, ok, serviceProblems } from '../operation.ts';
import { corpusSchema, documentIdSchema } from '../primitives.ts';
import {
  documentQuerySchema,
  documentReplySchema,
  documentsReplySchema,
  pageQuerySchema,
  playbookReplySchema,
  playbooksReplySchema,
} from '../requests/lookups.ts';

const corpusParameter = z.object({ corpus: corpusSchema });

/** Looking things up: what is known of a document or a playbook, and pages of them. */
export const lookupOperations: readonly Operation[] = [
  {
    id: 'documents',
    method: 'GET',
    path: '/v1/corpora/{corpus}/documents',
    tag: 'corpora',
    summary: 'The documents of a corpus that can be found, a page at a time',
    subject: 'svc.index.documents',
    parameters: corpusParameter,
    query: pageQuerySchema,
    replies: ok('A page, by id', documentsReplySchema),
    problems: [...serviceProblems, 'not_found'],
  },
  {
    id: 'document',
    method: 'GET',
    path: '/v1/corpora/{corpus}/documents/{id}',
    tag: 'corpora',
    summary: 'What is known of one document, and how far along the pipeline it is',
    subject: 'svc.index.document',
    parameters: corpusParameter.extend({ id: documentIdSchema }),
    query: documentQuerySchema,
    replies: ok('Its state; a tombstone too', documentReplySchema),
    problems: [...serviceProblems, 'not_found'],
  },
  {
    id: 'playbooks',
    method: 'GET',
    path: '/v1/playbooks/{corpus}',
    tag: 'playbooks',
    summary: 'What is remembered in a playbook corpus, and what it has lifted, a page at a time',
    subject: 'svc.index.playbooks',
    parameters: corpusParameter,
    query: pageQuerySchema,
    replies: ok('A page, by id', playbooksReplySchema),
    problems: [...serviceProblems, 'not_found'],
  },
  {
    id: 'playbook',
    method: 'GET',
    path: '/v1/playbooks/{corpus}/{id}',
    tag: 'playbooks',
    summary: 'One playbook, and what it has lifted',
    subject: 'svc.index.playbook',
    parameters: corpusParameter.extend({ id: playbookIdSchema }),
    replies: ok('What was recorded; a retraction too', playbookReplySchema),
    problems: [...serviceProblems, 'not_found'],
  },
];
