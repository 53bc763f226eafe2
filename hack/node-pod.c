/* The program of the throw-away node's images. Without PORT it waits for a signal, as a pod's sandbox has to. With PORT it answers
   every HTTP request with 200, or with NNN where the path has /status-NNN/: so it plays a registry that refuses. Or else:
     READY=no       503 to every request
     EXIT_CODE=n    exits with n, after EXIT_AFTER seconds (0)
     SEGFAULT=yes   dies of SIGSEGV, after as many
     EAT=n          takes n MiB of memory, and touches them
     SAY=text       a line on standard error, at the start
     TERMINATION_MESSAGE=text  what it leaves in /dev/termination-log
     STUBBORN=yes   does not end at SIGTERM */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void end(int signal) { (void)signal; _exit(0); }

static int number(const char *name, int otherwise) {
  const char *text = getenv(name);
  return text ? atoi(text) : otherwise;
}

int main(void) {
  const char *text;
  signal(SIGTERM, getenv("STUBBORN") ? SIG_IGN : end);
  signal(SIGINT, end);
  signal(SIGCHLD, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  if ((text = getenv("SAY"))) fprintf(stderr, "%s\n", text);
  if ((text = getenv("TERMINATION_MESSAGE"))) {
    FILE *log = fopen("/dev/termination-log", "w");
    if (log) { fputs(text, log); fclose(log); }
  }
  if (getenv("EXIT_CODE") || getenv("SEGFAULT")) {
    if (number("EXIT_AFTER", 0) > 0) sleep((unsigned)number("EXIT_AFTER", 0));
    // Not by raise: what is process 1 survives its own signals, but not its own faults.
    if (getenv("SEGFAULT")) *(volatile int *)0 = 0;
    return number("EXIT_CODE", 1);
  }
  for (int i = 0; i < number("EAT", 0); i++) {
    char *page = malloc(1 << 20);
    if (page) memset(page, 1, 1 << 20);
  }
  if (!getenv("PORT")) for (;;) pause();

  int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)number("PORT", 0)) };
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 64)) { perror("listen"); return 1; }
  int usual = (text = getenv("READY")) && !strcmp(text, "no") ? 503 : 200;
  for (;;) {
    char buffer[4096];
    int client = accept(listener, NULL, NULL);
    if (client < 0) continue;
    struct timeval patience = { .tv_sec = 1 };
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ssize_t got = read(client, buffer, sizeof buffer - 1);
    if (got > 0) {
      buffer[got] = 0;
      const char *asked = strstr(buffer, "/status-");
      int status = asked ? atoi(asked + strlen("/status-")) : usual;
      int size = snprintf(buffer, sizeof buffer, "HTTP/1.1 %d Said\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n", status);
      if (write(client, buffer, (size_t)size) < 0) perror("write");
    }
    close(client);
  }
}
