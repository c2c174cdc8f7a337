import { describe, expect, it } from 'vitest';
import { SpentBudget } from '../../../lib/metadata/store/spent-budget.js';

const spent = (fence: number) =>
  ({ isGranted: false, reason: 'budget-spent', fence, retryAfter: 500 }) as const;

describe('SpentBudget', () => {
  it('returns true until a report has lasted for one refill', () => {
    const budget = new SpentBudget(2500);
    expect(budget.isCredible(0)).toBe(false);
    budget.observe(spent(7), 1000);
    budget.observe(spent(7), 3000);
    expect(budget.isCredible(3499)).toBe(true);
    expect(budget.isCredible(3500)).toBe(false);
  });

  it('counts anew when a fence shows that another replica was granted a lease', () => {
    const budget = new SpentBudget(2500);
    budget.observe(spent(7), 0);
    budget.observe(spent(8), 2400);
    expect(budget.isCredible(4899)).toBe(true);
  });

  it.each([
    { isGranted: true, fence: 8, handle: 'x' } as const,
    { isGranted: false, reason: 'held', fence: 7, retryAfter: 500 } as const,
  ])('returns false when the lease is granted or refused for another reason: %j', (lease) => {
    const budget = new SpentBudget(2500);
    budget.observe(spent(7), 0);
    budget.observe(lease, 100);
    expect(budget.isCredible(100)).toBe(false);
  });
});
