import { json, type Operation, ok, serviceProblems } from '../operation.ts';
import type { ProblemCode } from '../problems.ts';
import { corporaReplySchema } from '../requests/corpora.ts';
import { downgradeReplySchema, downgradeRequestSchema } from '../requests/downgrade.ts';
import { searchReplySchema, searchRequestSchema } from '../requests/matrix.ts';
import { relevanceReplySchema, relevanceRequestSchema } from '../requests/relevance.ts';

const searchProblems: readonly ProblemCode[] = [
  ...serviceProblems,
  'invalid_vector',
  'mixed_spaces',
  'space_mismatch',
  'text_refused',
  'corpus_not_found',
  'upstream_failed',
];

export const matrixOperations: readonly Operation[] = [
  {
    id: 'matrixSearch',
    method: 'POST',
    path: '/v1/matrix/search',
    tag: 'matrix',
    summary: 'Find by meaning, with what people chose before',
    subject: 'svc.matrix.search',
    requests: [json(searchRequestSchema)],
    replies: ok('The nearest, nearest first', searchReplySchema),
    problems: searchProblems,
  },
  {
    id: 'matrixRetrieve',
    method: 'POST',
    path: '/v1/matrix/retrieve',
    tag: 'matrix',
    summary: 'Search, by another name',
    subject: 'svc.matrix.search',
    requests: [json(searchRequestSchema)],
    replies: ok('The nearest, nearest first', searchReplySchema),
    problems: searchProblems,
  },
  {
    id: 'matrixCorpora',
    method: 'GET',
    path: '/v1/matrix/corpora',
    tag: 'matrix',
    summary: 'Which corpora there are',
    subject: 'svc.matrix.corpora',
    replies: ok('The corpora that a search may name, and those of playbooks', corporaReplySchema),
    problems: serviceProblems,
  },
  {
    id: 'matrixRelevance',
    method: 'POST',
    path: '/v1/matrix/relevance',
    tag: 'matrix',
    summary: 'Part chunks of text by what they have to do with a source file',
    subject: 'svc.matrix.relevance',
    requests: [json(relevanceRequestSchema)],
    replies: ok('Every chunk with its score, kept or dropped', relevanceReplySchema),
    problems: serviceProblems,
  },
  {
    id: 'matrixDowngrade',
    method: 'POST',
    path: '/v1/matrix/downgrade',
    tag: 'matrix',
    summary: 'The mode in which a model is to review',
    subject: 'svc.matrix.downgrade',
    requests: [json(downgradeRequestSchema)],
    replies: ok('The mode, and what decided', downgradeReplySchema),
    problems: serviceProblems,
  },
];
