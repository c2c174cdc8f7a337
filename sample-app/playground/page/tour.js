// A guided tour: what to look at, then the actions that show it.

import { find, post } from './dom.js';

const scenes = [
  ['Steady load. Both APIs accept everything.', [], 4],
  [
    'The provider rotates its key. One refresh, in the request that needs it. Both APIs manage.',
    ['rotate'],
    5,
  ],
  [
    'A flood of forged tokens begins. The recipe spends its five key set requests a minute on them.',
    ['flood-on'],
    5,
  ],
  [
    'The provider rotates during the flood. The recipe can no longer fetch the new key.',
    ['rotate-without-overlap'],
    10,
  ],
  ['The flood ends. The recipe recovers once its rate limit lets it fetch again.', ['flood-off'], 13],
  ['The provider publishes its next key ahead. The library has it after the next refresh.', ['announce'], 7],
  [
    'The provider goes down, then the new key signs. The library knows it already.',
    ['provider-down', 'rotate'],
    9,
  ],
  ['The provider works again. The recipe waits for its rate limit.', ['provider-none'], 16],
  [
    'A new key under the old id, a mistake that happens. The recipe keeps the old key for ten minutes.',
    ['reuse-kid'],
    10,
  ],
];

const tour = { isRunning: false };

/** Plays the scenes one after another; a second call stops them. */
export async function playTour(button) {
  tour.isRunning = !tour.isRunning;
  if (!tour.isRunning) return;
  const caption = find('[data-caption]');
  const label = button.textContent;
  button.textContent = 'Stop the tour';
  caption.hidden = false;
  try {
    for (const [text, actions, seconds] of scenes) {
      caption.textContent = text;
      for (const action of actions) await post(`/playground/actions/${action}`);
      await whileRunning(seconds);
      if (!tour.isRunning) break;
    }
  } finally {
    const isComplete = tour.isRunning;
    tour.isRunning = false;
    caption.hidden = true;
    button.textContent = label;
    for (const action of isComplete ? [] : ['flood-off', 'provider-none'])
      await post(`/playground/actions/${action}`);
  }
}

async function whileRunning(seconds) {
  const end = Date.now() + seconds * 1000;
  while (tour.isRunning && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 200));
}
