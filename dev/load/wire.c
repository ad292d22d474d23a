#define _GNU_SOURCE
#include "wire.h"

#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAC_BYTES = 32, MOST_MOVED = 10000 };

Mac *make_mac(const uint8_t key[KEY_BYTES]) {
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {OSSL_PARAM_utf8_string("digest", digest, sizeof digest - 1), OSSL_PARAM_END};
    Mac *mac = algorithm ? EVP_MAC_CTX_new(algorithm) : NULL;
    EVP_MAC_free(algorithm);
    if (!mac || !EVP_MAC_init(mac, key, KEY_BYTES, parameters)) {
        fprintf(stderr, "libcrypto has no HMAC-SHA256\n");
        exit(1);
    }
    return mac;
}

static void sign(Mac *mac, const uint8_t *bytes, size_t count, uint8_t out[MAC_BYTES]) {
    size_t length = 0;
    // Without a key it starts again with the one that it has.
    if (!EVP_MAC_init(mac, NULL, 0, NULL) || !EVP_MAC_update(mac, bytes, count)
        || !EVP_MAC_final(mac, out, &length, MAC_BYTES)) {
        fprintf(stderr, "libcrypto can't sign\n");
        exit(1);
    }
}

static uint8_t *put(uint8_t *out, const void *bytes, size_t count) {
    return (uint8_t *)memcpy(out, bytes, count) + count;
}

static uint8_t *put_big_endian(uint8_t *out, uint64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) *out++ = (uint8_t)(value >> shift);
    return out;
}

// Seven bits a byte, least significant first.
static uint8_t *put_number(uint8_t *out, uint64_t value) {
    for (; value >= 0x80; value >>= 7) *out++ = (uint8_t)(value | 0x80);
    *out++ = (uint8_t)value;
    return out;
}

static size_t base64_url(const uint8_t *bytes, size_t count, char *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *start = out;
    for (size_t at = 0; at < count; at += 3) {
        size_t left = count - at < 3 ? count - at : 3;
        uint32_t group = (uint32_t)bytes[at] << 16;
        if (left > 1) group |= (uint32_t)bytes[at + 1] << 8;
        if (left > 2) group |= bytes[at + 2];
        for (size_t digit = 0; digit <= left; digit++) *out++ = digits[group >> (18 - 6 * digit) & 63];
    }
    return (size_t)(out - start);
}

size_t write_token(Mac *mac, const Speech *speech, const Seat *seat, uint64_t expires, char out[TOKEN_ROOM]) {
    static const char prefix[] = "cairnpoll_";
    uint8_t bytes[TOKEN_ROOM / 2], *end = bytes;
    *end++ = 1;
    end = put_big_endian(end, speech->key_version, 4);
    end = put(end, seat->account, ID_BYTES);
    end = put(end, seat->device, ID_BYTES);
    end = put_big_endian(end, expires, 8);
    *end++ = 1;
    end = put(end, seat->space, ID_BYTES);
    sign(mac, bytes, (size_t)(end - bytes), end);
    end += MAC_BYTES;
    memcpy(out, prefix, sizeof prefix - 1);
    return sizeof prefix - 1 + base64_url(bytes, (size_t)(end - bytes), out + sizeof prefix - 1);
}

static size_t write_question(const Speech *speech, const Seat *seat, uint8_t out[64]) {
    uint8_t *end = put_number(out, speech->timeout);
    end = put_number(end, 1);
    end = put(end, seat->space, ID_BYTES);
    return (size_t)(put_number(end, seat->revision) - out);
}

size_t write_poll(Mac *mac, const Speech *speech, const char *host, const Seat *seat, uint64_t now,
                  char out[REQUEST_ROOM]) {
    char token[TOKEN_ROOM];
    int token_length = (int)write_token(mac, speech, seat, now + speech->token_lifetime, token);
    if (speech->dialect == NCHAN) {
        char space[2 * ID_BYTES + 1];
        for (int at = 0; at < ID_BYTES; at++) sprintf(space + 2 * at, "%02x", seat->space[at]);
        return (size_t)snprintf(out, REQUEST_ROOM,
                                "GET /v1/poll?id=%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %.*s\r\n\r\n", space,
                                host, token_length, token);
    }
    uint8_t body[64];
    size_t length = write_question(speech, seat, body);
    size_t head = (size_t)snprintf(out, REQUEST_ROOM,
                                   "POST /v1/poll HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %.*s\r\n"
                                   "Content-Type: application/vnd.cairn.v1\r\nContent-Length: %zu\r\n\r\n",
                                   host, token_length, token, length);
    memcpy(out + head, body, length);
    return head + length;
}

// The value of a header, NULL when it is not there. `name` has a line feed before it and a colon behind.
static const char *header(const char *head, const char *end, const char *name) {
    size_t length = strlen(name);
    for (const char *at = head; (at = memchr(at, '\n', (size_t)(end - at))) && at + length < end; at++)
        if (!strncasecmp(at, name, length)) return at + length + strspn(at + length, " \t");
    return NULL;
}

Reading read_head(const char *bytes, size_t count, Answer *answer) {
    *answer = (Answer){0};
    const char *end = memmem(bytes, count, "\r\n\r\n", 4);
    if (!end) return INCOMPLETE;
    if (memcmp(bytes, "HTTP/1.1 ", 9)) return MALFORMED;
    answer->status = atoi(bytes + 9);
    answer->body = (size_t)(end - bytes) + 4;
    const char *length = header(bytes, end, "\nContent-Length:");
    if (!length && answer->status != 204 && answer->status != 304) return MALFORMED;
    answer->length = answer->body + (length ? strtoul(length, NULL, 10) : 0);
    const char *connection = header(bytes, end, "\nConnection:");
    answer->closes = connection && !strncasecmp(connection, "close", 5);
    const char *retry = header(bytes, end, "\nRetry-After:");
    answer->retry_after = retry ? (uint32_t)strtoul(retry, NULL, 10) : 0;
    return count < answer->length ? INCOMPLETE : WHOLE;
}

// Takes a number from the front; false when there is none.
static bool take_number(const uint8_t **at, const uint8_t *end, uint64_t *value) {
    *value = 0;
    for (int shift = 0; shift < 64 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

// One record of the answer: a namespace, its revision, and whether files are on their way.
static bool take_moved(const uint8_t **at, const uint8_t *end, const uint8_t space[ID_BYTES], Answer *answer) {
    uint64_t length, revision;
    if (!take_number(at, end, &length) || length > (uint64_t)(end - *at) || length < ID_BYTES + 2) return false;
    const uint8_t *field = *at + ID_BYTES, *record_end = *at + length;
    if (!take_number(&field, record_end, &revision) || field >= record_end) return false;
    if (memcmp(*at, space, ID_BYTES)) {
        answer->foreign++;
    } else {
        answer->revision = revision;
        answer->pending = *field == 1;
    }
    *at = record_end;
    return true;
}

bool read_moved(const char *body, size_t count, const uint8_t space[ID_BYTES], Answer *answer) {
    const uint8_t *at = (const uint8_t *)body, *end = at + count;
    uint64_t moved;
    if (!take_number(&at, end, &moved) || moved > MOST_MOVED) return false;
    while (moved--)
        if (!take_moved(&at, end, space, answer)) return false;
    return at == end;
}
