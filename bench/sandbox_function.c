// The bootstrap of sandbox_bench: says that it runs, and waits to be killed.
#include <unistd.h>

int main(void) {
  if (write(STDOUT_FILENO, "!", 1) != 1) return 1;
  for (;;) pause();
}
