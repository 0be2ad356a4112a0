# A thread for each client.
# Message: 6 clients
# Message: threads and 0 processes more
# Message: one thread

import threading


def serve(listener):
    def talk(client):
        with client:
            while data := client.recv(4096):
                client.sendall(data)

    while True:
        client, _ = listener.accept()
        threading.Thread(target=talk, args=(client,)).start()
