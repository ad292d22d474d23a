// What a device sends when it polls, and what it gets back: the bytes of docs/protocol.md, and of nchan for the peer.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct evp_mac_ctx_st Mac;

enum { ID_BYTES = 16, KEY_BYTES = 32, TOKEN_ROOM = 256, REQUEST_ROOM = 768, HOST_ROOM = 64 };

// Who polls: one line of the table that the bench writes, as it lies in the file (the revision little-endian).
typedef struct {
    uint8_t account[ID_BYTES], device[ID_BYTES], space[ID_BYTES];
    uint64_t revision;  // of the namespace, as far as the device has seen it
} Seat;

typedef enum { CAIRN, NCHAN } Dialect;

// What all polls of a run share.
typedef struct {
    Dialect dialect;
    uint8_t key[KEY_BYTES];    // the poll key, by which the server knows its own tokens
    uint32_t key_version;
    uint32_t timeout;          // seconds that a poll asks for
    uint32_t token_lifetime;   // seconds
} Speech;

// One answer. Revision and count speak of the namespace that was asked for; `foreign` counts others.
typedef struct {
    size_t length;             // of the whole answer
    size_t body;               // where its body begins
    int status;
    bool closes;               // the server ends the connection
    uint32_t retry_after;      // seconds, with a refusal that asks to come back
    uint64_t revision;         // 0: the namespace is not in the answer
    bool pending;              // files are on their way
    uint32_t foreign;
} Answer;

typedef enum { MALFORMED = -1, INCOMPLETE, WHOLE } Reading;

// Makes what signs tokens with the key; belongs to one thread. Ends the process when libcrypto can't.
Mac *make_mac(const uint8_t key[KEY_BYTES]);

// Writes a poll token (`cairnpoll_…`, without a zero behind it) that lists one namespace. Answers its length.
size_t write_token(Mac *mac, const Speech *speech, const Seat *seat, uint64_t expires, char out[TOKEN_ROOM]);

// Writes a whole poll of a seat, to be sent as it is. Answers its length.
size_t write_poll(Mac *mac, const Speech *speech, const char *host, const Seat *seat, uint64_t now,
                  char out[REQUEST_ROOM]);

// Reads status, head and length of the answer that begins at `bytes`, whatever its body is.
Reading read_head(const char *bytes, size_t count, Answer *answer);

// Reads the body of a poll's answer with status 200, which must be whole. False when it is malformed.
bool read_moved(const char *body, size_t count, const uint8_t space[ID_BYTES], Answer *answer);
