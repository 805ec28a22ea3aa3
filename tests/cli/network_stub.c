/* preloaded: each host that a program looks up and each address of the internet that it connects to, other than this
   machine's, becomes a line of the file $NETWORK_LOG, and the call fails */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void tell(const char *what) {
    FILE *log = fopen(getenv("NETWORK_LOG"), "a");
    fprintf(log, "%s\n", what);
    fclose(log);
}

static int is_here(const char *host) {
    return !host || !strcmp(host, "localhost") || !strncmp(host, "127.", 4) || !strcmp(host, "::1");
}

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **found) {
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        dlsym(RTLD_NEXT, "getaddrinfo");
    if (is_here(host)) return real(host, port, hints, found);
    tell(host);
    return EAI_AGAIN;
}

int connect(int socket, const struct sockaddr *address, socklen_t size) {
    int (*real)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
    char host[INET6_ADDRSTRLEN] = "";
    if (address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, host, sizeof host);
    else if (address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, host, sizeof host);
    else
        return real(socket, address, size);
    if (is_here(host)) return real(socket, address, size);
    tell(host);
    errno = ENETUNREACH;
    return -1;
}
