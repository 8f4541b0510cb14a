/* The same on a Cortex-M4F without an operating system: weights are read where they lie in flash, and the arena is the
 * only memory that the model writes to. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../picture.h"
#include "lenet.h"

static _Alignas(LENET_ALIGNMENT) unsigned char arena[LENET_ARENA_BYTES];
static float picture[LENET_INPUT_INPUT_COUNT];

int main(void)
{
  float logits[LENET_OUTPUT_LOGITS_COUNT];
  draw(picture);
  const int status = lenet_run(arena, picture, logits);
  if (status != LENET_OK) return 1;
  for (int i = 0; i < LENET_OUTPUT_LOGITS_COUNT; i++) {
    /* newlib's small printf has no %f. */
    const int scaled = (int)(logits[i] * 10000 + (logits[i] < 0 ? -0.5f : 0.5f));
    printf("%d: %s%d.%04d\n", i, scaled < 0 ? "-" : "", abs(scaled) / 10000, abs(scaled) % 10000);
  }
  return 0;
}

/* What the linker script knows, and what the debugger or emulator does with printf and exit. */
extern uint32_t stack_top, data_begin, data_end, data_load, bss_begin, bss_end;
extern void initialise_monitor_handles(void);

void reset(void);
void reset(void)
{
  *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20; /* the floating-point unit, which is off at first */
  memcpy(&data_begin, &data_load, (size_t)((char *)&data_end - (char *)&data_begin));
  memset(&bss_begin, 0, (size_t)((char *)&bss_end - (char *)&bss_begin));
  initialise_monitor_handles();
  exit(main());
}

static void fault(void) { for (;;) {} }

__attribute__((section(".vectors"), used)) static const void *const vectors[] = {
  &stack_top, (const void *)reset, (const void *)fault, (const void *)fault
};
