// The least that an HTTP server can do: answers whatever comes in one piece with the same bytes, on
// one thread, without reading what it says. The first line it prints ends in its port.
//
// Usage: http_floor BODY_BYTES
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kEvents = 64, kMostBody = 4096 };

static void Watch(int events, int socket) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = socket}};
  epoll_ctl(events, EPOLL_CTL_ADD, socket, &event);
}

static void Accept(int events, int listener) {
  const int on = 1;
  const int socket = accept(listener, NULL, NULL);
  if (socket < 0) return;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Watch(events, socket);
}

int main(int argc, char** argv) {
  const int body = argc > 1 ? atoi(argv[1]) : 0;
  if (body < 0 || body > kMostBody) return 2;
  char answer[kMostBody + 512];
  int size = snprintf(answer, sizeof answer,
                      "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
                      "Content-Type: application/x-amz-json-1.0\r\n"
                      "x-amzn-RequestId: 0123456789012345678901234567890123456789012345678901\r\n"
                      "x-amz-crc32: 1234567890\r\nContent-Length: %d\r\n\r\n",
                      body);
  memset(answer + size, 'x', (size_t)body);
  size += body;

  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  if (bind(listener, (struct sockaddr*)&address, length) != 0 || listen(listener, 128) != 0) {
    perror("http_floor");
    return 1;
  }
  getsockname(listener, (struct sockaddr*)&address, &length);
  printf("127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);

  const int events = epoll_create1(EPOLL_CLOEXEC);
  Watch(events, listener);
  struct epoll_event ready[kEvents];
  char request[8192];
  for (;;) {
    const int count = epoll_wait(events, ready, kEvents, -1);
    for (int i = 0; i < count; ++i) {
      const int socket = ready[i].data.fd;
      if (socket == listener) {
        Accept(events, listener);
      } else if (recv(socket, request, sizeof request, 0) <= 0) {
        close(socket);
      } else {
        (void)!send(socket, answer, (size_t)size, MSG_NOSIGNAL);
      }
    }
  }
}
