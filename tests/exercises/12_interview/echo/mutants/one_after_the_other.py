# Serves one client to its end, then the next one.
# Message: sent b'soup' to serve(listener)
# Message: in serve:  while data := client.recv(4096):


def serve(listener):
    while True:
        client, _ = listener.accept()
        with client:
            while data := client.recv(4096):
                client.sendall(data)
