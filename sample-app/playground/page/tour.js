// A guided tour: what to look at, then the actions that show it.

import { find, post } from './dom.js';

const scenes = [
  { text: 'Steady load. Both APIs accept everything.', actions: [], seconds: 4 },
  {
    text: 'The provider rotates its key. One refresh, in the request that needs it. Both APIs manage.',
    actions: ['rotate'],
    seconds: 5,
  },
  {
    text: 'A flood of forged tokens begins. The recipe spends its five key set requests a minute on them.',
    actions: ['flood-on'],
    seconds: 5,
  },
  {
    text: 'The provider rotates during the flood. The recipe can no longer fetch the new key.',
    actions: ['rotate-without-overlap'],
    seconds: 10,
  },
  {
    text: 'The flood ends. The recipe recovers once its rate limit lets it fetch again.',
    actions: ['flood-off'],
    seconds: 13,
  },
  {
    text: 'The provider publishes its next key ahead. The library has it after the next refresh.',
    actions: ['announce'],
    seconds: 7,
  },
  {
    text: 'The provider goes down, then the new key signs. The library knows it already.',
    actions: ['provider-down', 'rotate'],
    seconds: 9,
  },
  {
    text: 'The provider works again. The recipe waits for its rate limit.',
    actions: ['provider-none'],
    seconds: 16,
  },
  {
    text: 'A new key under the old id, a mistake that happens. The recipe keeps the old key for ten minutes.',
    actions: ['reuse-kid'],
    seconds: 10,
  },
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
    for (const { text, actions, seconds } of scenes) {
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
    if (!isComplete) await restore();
  }
}

/** Ends what a tour that was stopped has left. */
async function restore() {
  if (find('[data-switch=flood]').checked) await post('/playground/actions/flood-off');
  if (!find('[name=fault][value=none]').checked) await post('/playground/actions/provider-none');
}

async function whileRunning(seconds) {
  const end = Date.now() + seconds * 1000;
  while (tour.isRunning && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 200));
}
