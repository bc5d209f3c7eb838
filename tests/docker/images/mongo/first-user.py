import os

from pymongo import MongoClient

with MongoClient("127.0.0.1", 27017) as client:
    name, word = os.environ["MONGO_INITDB_ROOT_USERNAME"], os.environ["MONGO_INITDB_ROOT_PASSWORD"]
    client.admin.command("createUser", name, pwd=word, roles=["root"])
