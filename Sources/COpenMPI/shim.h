#ifndef LATHE_MPI_H
#define LATHE_MPI_H

/* What Lathe calls of MPI. Communicators, types and operations are macros there, which Swift does not see; every
   function returns MPI's error code. */

#include <mpi.h>
#include <stdlib.h>

typedef struct {
    MPI_Request request;
} lathe_mpi_request;

enum { LATHE_MPI_SUM, LATHE_MPI_PRODUCT, LATHE_MPI_MINIMUM, LATHE_MPI_MAXIMUM };
enum { LATHE_MPI_FLOAT, LATHE_MPI_DOUBLE, LATHE_MPI_INT64, LATHE_MPI_INT32, LATHE_MPI_BYTE };

static inline MPI_Op lathe_mpi_op(int operation) {
    switch (operation) {
    case LATHE_MPI_PRODUCT: return MPI_PROD;
    case LATHE_MPI_MINIMUM: return MPI_MIN;
    case LATHE_MPI_MAXIMUM: return MPI_MAX;
    default: return MPI_SUM;
    }
}

static inline MPI_Datatype lathe_mpi_type(int type) {
    switch (type) {
    case LATHE_MPI_FLOAT: return MPI_FLOAT;
    case LATHE_MPI_DOUBLE: return MPI_DOUBLE;
    case LATHE_MPI_INT64: return MPI_INT64_T;
    case LATHE_MPI_INT32: return MPI_INT32_T;
    default: return MPI_BYTE;
    }
}

/* Only the thread that starts MPI calls it. */
static inline int lathe_mpi_start(void) {
    int started = 0, provided = 0;
    int error = MPI_Initialized(&started);
    if (error != MPI_SUCCESS || started) return error;
    error = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    if (error == MPI_SUCCESS) error = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    return error;
}

static inline int lathe_mpi_stop(void) {
    int stopped = 0;
    int error = MPI_Finalized(&stopped);
    return error != MPI_SUCCESS || stopped ? error : MPI_Finalize();
}

static inline int lathe_mpi_rank(int *rank) { return MPI_Comm_rank(MPI_COMM_WORLD, rank); }
static inline int lathe_mpi_size(int *size) { return MPI_Comm_size(MPI_COMM_WORLD, size); }
static inline int lathe_mpi_barrier(void) { return MPI_Barrier(MPI_COMM_WORLD); }
static inline void lathe_mpi_abort(int code) { MPI_Abort(MPI_COMM_WORLD, code); }

static inline int lathe_mpi_all_reduce(void *data, int count, int type, int operation) {
    return MPI_Allreduce(
        MPI_IN_PLACE, data, count, lathe_mpi_type(type), lathe_mpi_op(operation), MPI_COMM_WORLD);
}

static inline int lathe_mpi_start_all_reduce(
    void *data, int count, int type, int operation, lathe_mpi_request *request) {
    return MPI_Iallreduce(
        MPI_IN_PLACE, data, count, lathe_mpi_type(type), lathe_mpi_op(operation), MPI_COMM_WORLD, &request->request);
}

static inline int lathe_mpi_wait(lathe_mpi_request *request) {
    return MPI_Wait(&request->request, MPI_STATUS_IGNORE);
}

/* Lets what was started go on. */
static inline int lathe_mpi_test(lathe_mpi_request *request, int *done) {
    return MPI_Test(&request->request, done, MPI_STATUS_IGNORE);
}

static inline int lathe_mpi_broadcast(void *data, int bytes, int root) {
    return MPI_Bcast(data, bytes, MPI_BYTE, root, MPI_COMM_WORLD);
}

static inline int lathe_mpi_all_gather(const void *data, int bytes, void *all) {
    return MPI_Allgather(data, bytes, MPI_BYTE, all, bytes, MPI_BYTE, MPI_COMM_WORLD);
}

static inline int lathe_mpi_gather(const void *data, int bytes, void *all, int root) {
    return MPI_Gather(data, bytes, MPI_BYTE, all, bytes, MPI_BYTE, root, MPI_COMM_WORLD);
}

static inline int lathe_mpi_scatter(const void *all, int bytes, void *data, int root) {
    return MPI_Scatter(all, bytes, MPI_BYTE, data, bytes, MPI_BYTE, root, MPI_COMM_WORLD);
}

static inline int lathe_mpi_reduce_scatter(const void *all, void *data, int count, int type, int operation) {
    return MPI_Reduce_scatter_block(
        all, data, count, lathe_mpi_type(type), lathe_mpi_op(operation), MPI_COMM_WORLD);
}

static inline int lathe_mpi_send(const void *data, int bytes, int rank, int tag) {
    return MPI_Send(data, bytes, MPI_BYTE, rank, tag, MPI_COMM_WORLD);
}

static inline int lathe_mpi_receive(void *data, int bytes, int rank, int tag) {
    return MPI_Recv(data, bytes, MPI_BYTE, rank, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

#endif
