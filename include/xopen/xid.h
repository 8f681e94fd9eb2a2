/* Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
 *
 * xid.h -- the name of a transaction's branch, which X/Open's XA and TX specifications share.
 */

#ifndef XID_H
#define XID_H

#define XIDDATASIZE 128 /* bytes of data in an XID: gtrid, and bqual right behind it */
#define MAXGTRIDSIZE 64 /* of them at most in gtrid */
#define MAXBQUALSIZE 64 /* of them at most in bqual */

/* The name of a branch (C193, 4.2). */
struct xid_t
{
    long formatID;     /* -1: the null XID; 0: OSI CCR naming */
    long gtrid_length; /* 1 to 64 */
    long bqual_length; /* 1 to 64 */
    char data[XIDDATASIZE];
};
typedef struct xid_t XID;

#endif /* XID_H */
